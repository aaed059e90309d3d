//! A speech-like emotional corpus in IEMOCAP's layout with annotators who disagree.
