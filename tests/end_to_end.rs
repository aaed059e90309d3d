//! End-to-end tests: the real commands on tiny corpora, as a user would run them.
//!
//! Each test has a folder of its own for its corpus, store and results, so that they can run side
//! by side. What they check is what a user can see: exit codes, messages, files.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod audit;
mod axes;
mod bad_audio;
mod bad_input;
mod cases;
mod corpora;
mod corrections;
mod encoders;
mod events;
mod examples;
mod faults;
mod fetch;
mod freshness;
mod graph;
mod harness;
mod init;
mod installed;
mod interrupt;
mod main_job;
mod methods;
mod predict;
mod publishing;
mod reasons;
mod record;
mod slurm;
mod store;
mod tables;
mod tune;
mod two_files;
