#pragma once

#include <string>
#include <vector>

#include "mtl/core/tensor.hpp"
#include "mtl/report/figure.hpp"

namespace mtl::report {

struct Tile {
  Tensor pixels = {};        ///< uint8 [3, H, W], RGB; sizes may differ
  std::string caption = {};  ///< a few short lines, drawn below the picture
};

/// Small pictures in rows with their captions, for instance the worst mistakes. Pictures larger
/// than `tile_size` pixels are reduced to it, smaller ones stay.
Figure contact_sheet(const std::string& title, const std::vector<Tile>& tiles, int columns = 6,
                     int tile_size = 160);

}  // namespace mtl::report
