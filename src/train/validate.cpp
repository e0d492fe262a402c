#include "mtl/train/validate.hpp"

#include "validation_pass.hpp"

namespace mtl {

SplitRecord validate(ModelRef model, LoaderRef loader) {
  return validation_pass(*model, nullptr, loader, FaultyBatch::stop).record;
}

SplitRecord validate(ModelRef model, Combiner& combiner, LoaderRef loader) {
  return validation_pass(*model, &combiner, loader, FaultyBatch::stop).record;
}

}  // namespace mtl
