# Zen 4. A vector of 512 bits takes both units: one multiply-add and one load of them in a cycle. What reads many places
# side by side loses nothing there; all lists of bench/ were measured on model 17.
# SPDX-License-Identifier: MIT-0
convgen 0.1.0
cpu AMD EPYC (family 25 model 17)
cpu AMD EPYC (family 25 model 160)
cpu AMD Ryzen (family 25 model 97)
cpu AMD Ryzen (family 25 model 116)
cost fma 1 avx512
cost load 1 avx512
cost l1_ways 8
cost streams 1000 avx512
