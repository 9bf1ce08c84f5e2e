"""Small datasets of every kind, drawn: no network is needed, and one seed always gives the same pictures."""
