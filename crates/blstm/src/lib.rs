//! The recurrent and attention operators as candle custom ops.
