//! Frame-level acoustic descriptors with openSMILE's numbers.
