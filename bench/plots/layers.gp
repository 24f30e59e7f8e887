# Throughput of each layer as bars, one per instruction set, against the multiply-add peaks.
# gnuplot -c layers.gp PLOTS_DIR DATA OUTPUT TITLE SUBTITLE "ISA ..." "PEAK ..." UNIT PERCENT
# DATA: layer, shape, then for each instruction set the rate and percent of the peak (NaN: not drawn).
# SPDX-License-Identifier: MIT-0
load ARG1."/style.gp"
data = ARG2; output = ARG3; isas = ARG6; peaks = ARG7; unit = ARG8; percent_of = ARG9
count = words(isas)
stats data using 3 skip 1 name "first" nooutput
stats data using 0 skip 1 name "row" nooutput
rows = row_records
peak(i) = word(peaks, i) + 0

thick = 0.8 / count
middle(row, i) = row - 0.4 + (i - 0.5) * thick

width = 900
height = 92 + 62 + rows * (count == 1 ? 24 : 10 + 13 * count)
has_peak = word(peaks, 1) ne "NaN"
graph_end = 1.02 * (has_peak && peak(1) > first_max ? peak(1) : first_max)
set xrange [0 : graph_end]
set yrange [rows - 0.5 : -0.5]
set xlabel unit offset 0, 0.3
set grid xtics lt 1 lc rgb faint lw 1
set ytics scale 0 font ",10"
set lmargin at screen 280.0 / width
set rmargin at screen 1 - 70.0 / width
set bmargin at screen 62.0 / height
set label 1 percent_of at graph 1.085, screen 1 - 84.0 / height right font ",9" \
    textcolor rgb "#555555"
do for [i = 1:(has_peak ? count : 0)] {
    set arrow i from peak(i), graph 0 to peak(i), graph 1 nohead front dt 2 lw 1.5 \
        lc rgb count == 1 ? dark : isa_colour(word(isas, i))
}
legend(i) = isa_title(word(isas, i)).(has_peak ? sprintf(" (peak %.0f)", peak(i)) : "")

do for [kind in "png svg"] {
    eval terminal(kind, width, height)
    set output output.".".kind
    eval heading(ARG4, ARG5, height)
    plot for [i = 1:count] data skip 1 using (0):(middle($0, i)):(0):(column(2 * i + 1)): \
             (middle($0, i) - 0.46 * thick):(middle($0, i) + 0.46 * thick) \
             with boxxyerror lc rgb isa_colour(word(isas, i)) title legend(i), \
         for [i = 1:count] data skip 1 \
             using (graph_end):(middle($0, i)):(percent(column(2 * i + 2))) \
             with labels right offset 5, 0 font ",9" textcolor rgb dark notitle, \
         data skip 1 using (NaN):0:ytic(strcol(1)."   ".strcol(2)) with points notitle
    set output
}
