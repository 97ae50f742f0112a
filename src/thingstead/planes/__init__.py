"""Floor 7: the engines, one package per plane; a plane never imports another."""
