# mtl_precompile_headers(target): compiles mtl's umbrella header, and LibTorch's with it, once for all sources of a target.
# From two sources on that is faster than reading the headers in each. With several targets of the same compile options,
# `target_precompile_headers(other REUSE_FROM target)` shares them.
function(mtl_precompile_headers target)
  target_precompile_headers(${target} PRIVATE <mtl/mtl.hpp>)
endfunction()
