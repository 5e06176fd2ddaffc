//! Asynchronous green threads: tasks.
