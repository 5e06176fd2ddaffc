//! Nothing: the bugs are the tests.
