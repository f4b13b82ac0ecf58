-- An owner may take a member out of a tenant again.
GRANT DELETE ON membership TO cupola_app;
