"""The container engine the kit starts itself, on machines that have the programs but run none."""
