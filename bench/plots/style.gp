# What the plots have in common. Colours: Okabe and Ito's, which colour-blind people tell apart.
# SPDX-License-Identifier: MIT-0
set datafile separator "\t"
set datafile missing NaN
set encoding utf8
set termoption noenhanced
set border 3 lc rgb "#555555"
set tics nomirror out textcolor rgb "#222222"
set style fill solid 1.0 noborder

blue = "#0072B2"; sky = "#56B4E9"; orange = "#D55E00"; amber = "#E69F00"; green = "#009E73"
grey = "#888888"; dark = "#222222"; faint = "#dddddd"

isa_colour(name) = name eq "avx512" ? blue : name eq "avx2" ? amber : name eq "sse2" ? green : \
                   name eq "neon" ? sky : grey
isa_title(name) = name eq "avx512" ? "AVX-512" : name eq "avx2" ? "AVX2 + FMA" : \
                  name eq "sse2" ? "SSE2" : name eq "neon" ? "NEON" : "scalar"

percent(x) = x == x ? sprintf("%.0f", x) : "" # nothing for NaN

# PNG or SVG of a size in pixels.
terminal(kind, width, height) = sprintf("set terminal %s size %d,%d noenhanced font %s", \
    kind eq "png" ? "pngcairo" : "svg background 'white'", width, height, \
    kind eq "png" ? "'DejaVu Sans,11'" : "'DejaVu Sans,Verdana,sans-serif,11' fontscale 1.3")

# Title, subtitle and legend above a plot whose top margin is 92 pixels.
heading(title, subtitle, height) = sprintf("\
    set label 901 \"%s\" at screen 0.015, screen %f font ',15' textcolor rgb dark; \
    set label 902 \"%s\" at screen 0.015, screen %f font ',11' textcolor rgb '#555555'; \
    set key at screen 0.01, screen %f left top horizontal maxrows 1 Left reverse samplen 1.2; \
    set tmargin at screen %f", title, 1 - 20.0 / height, subtitle, 1 - 42.0 / height, \
    1 - 56.0 / height, 1 - 92.0 / height)
