//! Audio files of any common format to mono samples at 16 kHz.
