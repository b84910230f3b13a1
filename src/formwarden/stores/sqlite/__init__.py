"""SQLite through apsw: the default store; one machine, any number of processes."""
