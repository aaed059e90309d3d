//! The binary ambivox: one subcommand per stage.
