"""Surgery on the graphs of networks: symbols that become other symbols."""
