//! Rows and files of Trình Ký on SQLite or PostgreSQL.
