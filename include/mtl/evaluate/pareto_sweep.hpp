#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "mtl/evaluate/compare.hpp"
#include "mtl/evaluate/pareto.hpp"
#include "mtl/io/json.hpp"

namespace mtl::evaluate {

/// What models reached that were trained for different preferences, and which of them no other
/// beats everywhere.
class Front {
 public:
  struct Objective {
    std::string task, metric;
    Better better = Better::lower;
  };
  struct Point {
    std::string method;              ///< "stch"
    std::vector<double> preference;  ///< by objective, sums to 1
    std::vector<double> values;      ///< by objective as its metric counts, the mean over seeds
    std::vector<double> deviations;  ///< over seeds; NaN where there is one
    bool on_front = false;  ///< no other point beats it everywhere; never one that is not finite
  };
  /// How good the front of one method is. Of all methods together: `method` is empty.
  struct Volume {
    std::string method;
    double value = 0;  ///< hypervolume up to the reference
    double share = 0;  ///< of the box between the reference and the best of each objective; 0 to 1
  };

  std::vector<Objective> objectives;
  std::vector<Point> points;      ///< by method, in the order of `preferences`
  std::vector<Volume> volumes;    ///< by method, then of all
  std::vector<double> reference;  ///< by objective, as its metric counts
  int64_t seeds = 0;

  /// Lines for a terminal: the front, then the volumes.
  std::string text() const;
  io::Json json() const;
};

struct SweepOptions {
  std::vector<std::string> tasks = {};
  /// Combiners that take a preference as `weights`, options of their own included: "stch:mu=0.1".
  std::vector<std::string> methods = {"fixed", "stch", "pbi"};
  int64_t steps = 10;  ///< preferences are multiples of 1 / steps
  int64_t seeds = 1;   ///< runs of each, from seed `first_seed` on
  uint64_t first_seed = 0;
  /// Up to where volumes are counted, by task as its metric counts; empty: the worst that any point
  /// has there (which then adds nothing).
  std::vector<double> reference = {};
  std::filesystem::path directory = {};  ///< as for compare()
  std::string identity = {};
  int64_t processes = 1, memory = 0;
};

/// Trains a model for each method, preference and seed, and finds the Pareto front over the means.
/// Each trial's method is a text for make_combiner, "stch:weights=0.3/0.7", so that the recipe of a
/// comparison serves; what counts of a task is its first metric, its loss where it has none. Runs
/// are kept and gone on with as by compare().
/// Error: as there; fewer than two tasks; a reference that does not fit.
Front pareto_sweep(const SweepOptions& options, const Recipe& recipe);

}  // namespace mtl::evaluate
