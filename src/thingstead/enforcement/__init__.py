"""Floor 9: adapters that keep the network plane's rules: the kernel's nftables, or nobody (dry run)."""
