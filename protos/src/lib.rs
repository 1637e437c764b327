//! The wire contract of Trình Ký between server, core and apps.
