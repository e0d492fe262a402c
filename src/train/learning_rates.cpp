#include "mtl/train/learning_rates.hpp"

#include <utility>

#include "mtl/core/error.hpp"

namespace mtl {

void LearningRates::set(const void* who, std::vector<double> rates) {
  if (rates.size() < base_.size())
    throw Error("learning rates: found {} for {} parameter groups, expected one each", rates.size(),
                base_.size());
  const auto same = [who](const Say& say) { return say.who == who; };
  const auto found = std::find_if(says_.begin(), says_.end(), same);
  if (found == says_.end())
    says_.push_back({who, std::move(rates)});
  else
    found->rates = std::move(rates);
  apply();
}

}  // namespace mtl
