//! Documents, people, registers and policy of Trình Ký: pure rules, no I/O.
