"""Tables, migrations, projections and queries; SQLite and PostgreSQL behind one interface."""
