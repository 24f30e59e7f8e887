# Zen 3 of servers. The second level is half of others', what one core gets of the last one is less, and what comes from
# the memory comes more slowly (measured on model 1, where others share both). Small planes one after the other are
# fetched whole. A tile of eight sums overlaps the next one nearly altogether, its stores included, one of twelve does
# not; lines in the memory are stored to one by one, and several runs of it come faster than one (30 GB/s against 20).
# Lines of many planes that are read side by side come late.
# SPDX-License-Identifier: MIT-0
convgen 0.1.0
cpu AMD EPYC (family 25 model 1)
cost l1_ways 8
cost l2_bytes 524288
cost l3_bytes 8388608
cost memory_stream 4
cost between 256
cost l2_stream 26
cost call 8
cost tail_cycles 16
cost tail_stores 8
cost stored_line 35
cost late_line 20
cost runs 1
