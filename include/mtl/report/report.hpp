#pragma once

#include "mtl/report/contact_sheet.hpp"
#include "mtl/report/contours.hpp"
#include "mtl/report/curves.hpp"
#include "mtl/report/figure.hpp"
#include "mtl/report/html.hpp"
#include "mtl/report/intervals.hpp"
#include "mtl/report/matrices.hpp"
#include "mtl/report/predictions.hpp"
#include "mtl/report/run_report.hpp"
