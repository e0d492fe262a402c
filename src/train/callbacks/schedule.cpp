#include "mtl/train/callbacks/schedule.hpp"

namespace mtl {

std::vector<double> learning_rates(torch::optim::Optimizer& optimizer) {
  std::vector<double> rates;
  for (const auto& group : optimizer.param_groups()) rates.push_back(group.options().get_lr());
  return rates;
}

}  // namespace mtl
