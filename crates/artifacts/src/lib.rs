//! Stage keys, the content-addressed store, locks, atomic writes and provenance.
