#include "mtl/data/images/preparation.hpp"

namespace mtl::images {

Transform Preparation::transform() const {
  if (shorter_side == 0) return Resize{width, height, filter};
  return Compose{{ResizeShorter{shorter_side, filter}, CenterCrop{width, height}}};
}

}  // namespace mtl::images
