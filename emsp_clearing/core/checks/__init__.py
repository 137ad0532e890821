"""Quality control of CDRs before they are billed."""
