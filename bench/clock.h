/* SPDX-License-Identifier: MIT-0 */
#ifndef CLOCK_H
#define CLOCK_H

double clock_seconds(void); /* since some moment; never goes back */

#endif
