# Throughput over the number of channels.
# gnuplot -c channels.gp PLOTS_DIR DATA OUTPUT TITLE SUBTITLE PEAK
# DATA: channels, then GFLOP/s of 3x3, 1x1 and depthwise 3x3.
# SPDX-License-Identifier: MIT-0
load ARG1."/style.gp"
data = ARG2; output = ARG3; peak = ARG6 + 0
titles = "'3x3' '1x1' 'depthwise 3x3'"
colours = blue." ".orange." ".green
filled = "7 5 9"
hollow = "6 4 8"
odd(channels) = channels > 8 && int(channels) % 8 != 0

width = 860
height = 520
set xlabel "channels, in and out (hollow: numbers that fill no vector)"
set ylabel "GFLOP/s"
set logscale x 2
set xrange [0.85 : 620]
set yrange [0 : *]
set grid xtics ytics lt 1 lc rgb faint lw 1
set xtics (1, 2, 3, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512)
set rmargin at screen 1 - 90.0 / width
set label 1 sprintf("peak %.0f", peak) at graph 1.01, first peak textcolor rgb dark

do for [kind in "png svg"] {
    eval terminal(kind, width, height)
    set output output.".".kind
    eval heading(ARG4, ARG5, height)
    plot for [i = 1:3] data skip 1 using 1:(odd($1) ? NaN : column(i + 1)) \
             with linespoints pt (word(filled, i) + 0) ps 1.1 lw 2 lc rgb word(colours, i) \
             title word(titles, i), \
         for [i = 1:3] data skip 1 using 1:(odd($1) ? column(i + 1) : NaN) \
             with points pt (word(hollow, i) + 0) ps 1.3 lw 2 lc rgb word(colours, i) notitle, \
         peak with lines dt 2 lw 1.5 lc rgb dark notitle
    set output
}
