#pragma once

namespace mtl {

/// What a loss measures: the error of a real value, or of a choice. Methods that weigh losses by
/// their uncertainty (Kendall's) treat the two differently.
enum class LossKind { regression, classification };

}  // namespace mtl
