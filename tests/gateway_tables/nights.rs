//! Whole nights whose log is kept elsewhere.
