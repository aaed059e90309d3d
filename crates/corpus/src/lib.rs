//! Utterances, speakers, sessions and annotators' votes, read from each corpus layout.
