# Xeon, fourth and fifth generation. A vector comes from the last level in nine cycles, where others take three, so
# what does not stay in the second level costs more; of that one, pages of 4 KB leave a part unused, unless there is
# little but weights in it. Vectors of 512 bits leave two ports for all arithmetic, one of them for shuffles, and lines
# of the second level come slower than others', and of more places at a time.
# SPDX-License-Identifier: MIT-0
convgen 0.1.0
cpu Sapphire Rapids (family 6 model 143)
cpu Emerald Rapids (family 6 model 207)
cost l2_bytes 1310720
cost l2_kept 150
cost l3_stream 7
cost memory_stream 6
cost transform 150 avx512
cost shuffle 1
cost arithmetic 2 avx512
cost l1_kept 90
cost streams 34 avx512
