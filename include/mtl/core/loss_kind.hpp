#pragma once

namespace mtl {

/// What a loss measures. Kendall's weighting treats the two kinds differently.
enum class LossKind { regression, classification };

}  // namespace mtl
