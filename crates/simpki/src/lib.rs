//! One signature by a SIM: attempt machine, display text, TS 102 204 messages; no socket.
