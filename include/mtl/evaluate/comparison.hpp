#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/evaluate/sample.hpp"
#include "mtl/evaluate/verdict.hpp"
#include "mtl/io/json.hpp"
#include "mtl/task/metric.hpp"

namespace mtl::evaluate {

/// Joint models beside single-task models, seed by seed.
class Comparison {
 public:
  /// A method beside the single-task models in one metric of one task.
  struct Finding {
    std::string method, task, metric;
    Better better = Better::lower;
    bool judged = false;     ///< the task's first metric, or its loss; of an auxiliary task none
    bool auxiliary = false;  ///< the task only helps the others
    std::vector<double> joint, single;  ///< by seed
    Judgement judgement;  ///< joint - single; p-values of judged findings corrected by Holm
  };
  /// Mean relative gain over the tasks' judged metrics, and its bootstrap interval over seeds; NaN
  /// where a run gave no finite value.
  struct DeltaM {
    std::string method;
    double value = 0;
    Interval interval;
  };

  std::vector<Finding> findings;  ///< by method, task and metric
  std::vector<DeltaM> delta_m;    ///< by method
  int64_t seeds = 0;
  double level = 0.95;

  /// Error: there is no such finding; the text lists those that there are.
  const Finding& at(std::string_view method, std::string_view task, std::string_view metric) const;

  /// A sentence for each method: which tasks it helps and harms by how much, and the mean gain.
  std::vector<std::string> verdicts() const;
  /// Lines for a terminal: by task what each method reached and the verdict in words, then delta_m,
  /// then what the intervals are about.
  std::string text() const;
  io::Json json() const;
};

}  // namespace mtl::evaluate
