-- The version of convgen: in --version, and in the first line of every file it writes.
return "0.1.0"
