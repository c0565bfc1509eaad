import Foundation
import Support

/// The Jinja text by which a chat becomes one text.
enum ChatTemplate {
  /// Names that stand for a template, as in mergekit.
  static let named: [String: String] = [
    "chatml": """
    {% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + \
    '<|im_end|>' + '\\n' }}\
    {% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}
    """,
    "llama3": """
    {% for message in messages %}{% if loop.first %}{{ bos_token }}{% endif %}{{ '<|start_header_id|>' + \
    message['role'] \
    + '<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' }}{% endfor %}{% if add_generation_prompt %}\
    {{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}
    """,
    "mistral": """
    {{ bos_token }}{% for message in messages %}{% if message['role'] == 'assistant' %}{{ message['content'] + \
    eos_token }}\
    {% else %}{{ '[INST] ' + message['content'] + ' [/INST]' }}{% endif %}{% endfor %}
    """,
    "alpaca": """
    {% for message in messages %}{% if message['role'] == 'system' %}{{ message['content'] + '\\n\\n' }}\
    {% elif message['role'] == 'user' %}{{ '### Instruction:\\n' + message['content'] + '\\n\\n' }}\
    {% else %}{{ '### Response:\\n' + message['content'] + '\\n\\n' }}{% endif %}{% endfor %}\
    {% if add_generation_prompt %}{{ '### Response:\\n' }}{% endif %}
    """,
    "exaone": """
    {% for message in messages %}{% if loop.first and message['role'] != 'system' %}{{ '[|system|][|endofturn|]\\n' }}\
    {% endif %}{{ '[|' + message['role'] + '|]' + message['content'] }}{% if message['role'] == 'user' %}{{ '\\n' }}\
    {% else %}{{ '[|endofturn|]\\n' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '[|assistant|]' \
    }}{% endif %}
    """,
  ]

  /// The template that most of the folders' tokenizers have; of equally many the first.
  static func commonest(_ folders: [String]) -> String? {
    let found = folders.compactMap(own)
    let counts = Dictionary(found.map { ($0, 1) }, uniquingKeysWith: +)
    return found.max { counts[$0, default: 0] < counts[$1, default: 0] }
      .flatMap { best in found.first { counts[$0] == counts[best] } }
  }

  private static func own(_ folder: String) -> String? {
    if let text = try? String(contentsOfFile: folder + "/chat_template.jinja", encoding: .utf8) { return text }
    return (try? JSON(file: folder + "/tokenizer_config.json"))?["chat_template"]?.string
  }
}
