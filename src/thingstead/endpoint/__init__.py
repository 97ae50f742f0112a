"""Floor 4: the secured CoAP stack composed, datagrams and `now` in, events and datagrams out."""
