-- The version of convgen: in --version, and in the first line of every file it writes.
-- SPDX-License-Identifier: MIT-0
return "0.1.0"
