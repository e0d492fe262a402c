#include "mtl/deploy/export_python.hpp"

#include <nlohmann/json.hpp>

#include "mtl/deploy/description.hpp"
#include "mtl/io/atomic_file.hpp"
#include "mtl/sharing/save.hpp"
#include "python_module.hpp"

namespace mtl {

void export_python(ModelRef model, const std::filesystem::path& directory,
                   const PythonOptions& options) {
  const std::string text = deploy_detail::python_module(model_description(*model, options.kinds),
                                                        options.kinds, options.forward);
  io::make_folder(directory);
  // What cannot be written is known before the other file is replaced.
  io::AtomicFile module(directory / "model.py");
  module.write(text);
  save(model, directory / "weights.safetensors");
  module.commit();
}

}  // namespace mtl
