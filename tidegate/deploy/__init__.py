"""Drive Pulumi: the same program that `pulumi up` runs by hand, with its environment prepared."""
