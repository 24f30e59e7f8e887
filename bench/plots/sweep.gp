# Throughput over filter size, stride and padding.
# gnuplot -c sweep.gp PLOTS_DIR DATA OUTPUT TITLE SUBTITLE PEAK
# DATA: filter, then GFLOP/s and percent of: stride 1 valid, same, stride 2 valid, same.
# SPDX-License-Identifier: MIT-0
load ARG1."/style.gp"
data = ARG2; output = ARG3; peak = ARG6 + 0
titles = "'stride 1, valid' 'stride 1, same' 'stride 2, valid' 'stride 2, same'"
colours = blue." ".sky." ".orange." ".amber
inside = "white ".dark." white ".dark
stats data using 0 skip 1 name "row" nooutput
rows = row_records

thick = 0.2
middle(row, i) = row - 0.4 + (i - 0.5) * thick

width = 860
height = 520
set xlabel "filter (in the bars: % of peak)"
set ylabel "GFLOP/s"
set xrange [-0.5 : rows - 0.5]
set yrange [0 : *]
set grid ytics lt 1 lc rgb faint lw 1
set xtics scale 0
set boxwidth thick * 0.92
set rmargin at screen 1 - 90.0 / width
set label 1 sprintf("peak %.0f", peak) at graph 1.01, first peak textcolor rgb dark

do for [kind in "png svg"] {
    eval terminal(kind, width, height)
    set output output.".".kind
    eval heading(ARG4, ARG5, height)
    plot for [i = 1:4] data skip 1 using (middle($0, i)):(column(2 * i)) with boxes \
             lc rgb word(colours, i) title word(titles, i), \
         for [i = 1:4] data skip 1 \
             using (middle($0, i)):(0):(percent(column(2 * i + 1))) \
             with labels offset 0, 0.8 font ",9" textcolor rgb word(inside, i) notitle, \
         data skip 1 using 0:(NaN):xtic(1) with points notitle, \
         peak with lines dt 2 lw 1.5 lc rgb dark notitle
    set output
}
