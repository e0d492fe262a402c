#include "mtl/evaluate/student_t.hpp"

#include <cmath>
#include <unsupported/Eigen/SpecialFunctions>

#include "mtl/core/error.hpp"

namespace mtl {

double evaluate_detail::student_t_two_sided_tail(double t, double degrees_of_freedom) {
  if (std::isinf(t)) return 0;
  return Eigen::numext::betainc(degrees_of_freedom / 2, 0.5,
                                degrees_of_freedom / (degrees_of_freedom + t * t));
}

double evaluate::student_t_cdf(double t, double degrees_of_freedom) {
  if (!(degrees_of_freedom > 0))
    throw Error("statistics: degrees of freedom must be positive, found {}", degrees_of_freedom);
  const double tail = evaluate_detail::student_t_two_sided_tail(t, degrees_of_freedom) / 2;
  return t > 0 ? 1 - tail : tail;
}

double evaluate::student_t_two_sided(double level, double degrees_of_freedom) {
  evaluate_detail::require_level(level);
  if (!(degrees_of_freedom > 0))
    throw Error("statistics: degrees of freedom must be positive, found {}", degrees_of_freedom);
  const auto tail = [&](double t) {
    return evaluate_detail::student_t_two_sided_tail(t, degrees_of_freedom);
  };
  return evaluate_detail::invert_tail(tail, 1 - level);
}

}  // namespace mtl
