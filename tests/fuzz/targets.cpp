#include <cstdio>

#include "target.hpp"
#include "temporary_folder.hpp"

namespace fuzz {

void csv(std::string_view);
void arff(std::string_view);
void json(std::string_view);
void text(std::string_view);
void safetensors(std::string_view);
void pytorch(std::string_view);
void images(std::string_view);
void bundle(std::string_view);
std::vector<std::string> bundle_seeds();
void checkpoint(std::string_view);
std::vector<std::string> checkpoint_seeds();
void combiner(std::string_view);
void names(std::string_view);
void search_log(std::string_view);

const std::vector<Target>& targets() {
  static const std::vector<Target> all = {
      {"csv", csv, {",", ";", "\t", "\"", "\"\"", "\r\n", "\n", "1e999", "-0", "2024-02-29T08:30"}},
      {"arff",
       arff,
       {"@relation", "@attribute ", "@data\n", "{", "}", "{0 ", "'", "\\", "%", "?", "numeric",
        "real", "string", "date", "{a,b}"}},
      {"json",
       json,
       {"[", "]", "{", "}", "\"", ":", ",", "null", "true", "1e308", "\\u0000", "\\ud800",
        "18446744073709551615", "[[[[[[[[[[[[[[[["}},
      {"text", text, {"\xEF\xBB\xBF", "\xFF\xFE", "\x81", "\x83\x41", "\xED\xA0\x80", "\n"}},
      {"safetensors",
       safetensors,
       {"\"dtype\"", "\"F32\"", "\"BOOL\"", "\"shape\"", "\"data_offsets\"", "\"__metadata__\"",
        "[0,0]", "9223372036854775807", "1152921504606846976", "\"mtl.digest\":\"",
        "\"mtl.digest_is\":\"\""}},
      {"pytorch",
       pytorch,
       {"ctorch._utils\n_rebuild_tensor_v2\n",
        "ctorch\nFloatStorage\n",
        "ctorch\nBoolStorage\n",
        "ccollections\nOrderedDict\n",
        "cposix\nsystem\n",
        "X\7",
        "K\1",
        "J\xFF\xFF\xFF\x7F",
        "\x85",
        "\x86",
        "\x87",
        "Q",
        "R",
        "b",
        "(",
        "u",
        "}",
        "]",
        "t",
        "h",
        "q",
        "r\xFF\xFF\xFF\xFF",
        "PK\1\2",
        "PK\3\4",
        "PK\5\6",
        "PK\6\6",
        "PK\6\7",
        "\xFF\xFF\xFF\xFF"}},
#ifdef MTL_HAS_IMAGES
      {"images", images, {"\xFF\xC0", "\xFF\xC2", "\xFF\xDA", "\xFF\xC4", "IDAT", "PLTE", "tRNS"}},
#endif
      {"bundle",
       bundle,
       {"null", "[]", "{}", "\"kind\"", "\"heads\"", "\"none\"", "4611686018427387904", "-1",
        "1e300", "\"../w\"", "1000000"},
       bundle_seeds},
      {"checkpoint",
       checkpoint,
       {"null", "[]", "{}", "9223372036854775807", "-1", "[2,0]", "\"F64\"", "\"BOOL\"", "\"I8\"",
        "\"../x\"", "1e300"},
       checkpoint_seeds},
      {"combiner",
       combiner,
       {":", ",", "=", "/", "rescale=", "scale=median", "1e300", "-1", "nan",
        "seed=", "9223372036854775807"}},
      {"names", names, {"module.", ".", "encoder.0.weight", "\n", "$1", "["}},
      {"search_log", search_log, {"running", "finished", "stopped", "failed", ",,", "1e999", "\n"}},
  };
  return all;
}

const std::filesystem::path& folder() {
  static const TemporaryFolder here;
  return here.path();
}

void put(const std::filesystem::path& file, std::string_view bytes) {
  std::FILE* stream = std::fopen(file.c_str(), "wb");
  require(stream != nullptr && std::fwrite(bytes.data(), 1, bytes.size(), stream) == bytes.size(),
          "cannot write", file.string());
  std::fclose(stream);
}

}  // namespace fuzz
