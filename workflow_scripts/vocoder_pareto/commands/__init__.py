"""The subcommands of `vocoder-pareto`, a file each: what it says of itself, its flags, and one call of the library."""
