# Convgen's kernels as bars, other libraries as marks, in percent of the multiply-add peak.
# gnuplot -c peers.gp PLOTS_DIR DATA OUTPUT TITLE SUBTITLE "PEER ..."
# DATA: layer, shape, then percent of convgen and of each peer.
# SPDX-License-Identifier: MIT-0
load ARG1."/style.gp"
data = ARG2; output = ARG3; peers = ARG6
count = words(peers)
stats data using 0 skip 1 name "row" nooutput
rows = row_records
colours = orange." ".green." ".amber." ".dark." ".grey." ".sky
marks = "7 5 9 13 11 15"

width = 900
height = 92 + 62 + rows * 24
set xrange [0 : *]
set yrange [rows - 0.5 : -0.5]
set xlabel "% of peak" offset 0, 0.3
set grid xtics lt 1 lc rgb faint lw 1
set ytics scale 0 font ",10"
set lmargin at screen 280.0 / width
set rmargin at screen 1 - 30.0 / width
set bmargin at screen 62.0 / height
set arrow 1 from 100, graph 0 to 100, graph 1 nohead front dt 2 lw 1.5 lc rgb dark

do for [kind in "png svg"] {
    eval terminal(kind, width, height)
    set output output.".".kind
    eval heading(ARG4, ARG5, height)
    set key font ",10" maxrows 1
    plot data skip 1 using (0):0:(0):3:($0 - 0.36):($0 + 0.36) with boxxyerror lc rgb blue \
             title "convgen", \
         for [i = 1:count] data skip 1 using (column(3 + i)):0 with points \
             pt (word(marks, (i - 1) % 6 + 1) + 0) ps 1.0 lc rgb word(colours, (i - 1) % 6 + 1) \
             title word(peers, i), \
         data skip 1 using (NaN):0:ytic(strcol(1)."   ".strcol(2)) with points notitle
    set output
}
