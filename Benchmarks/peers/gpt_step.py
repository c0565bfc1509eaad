"""One training step of a GPT: forward, cross-entropy, backward, fused AdamW. Written as in nanoGPT, on torch's fused attention."""

import torch
import torch.nn.functional as F
from measure import parser, report
from torch import nn

options = parser(__doc__, warmup=3, repetitions=10)
options.add_argument("--depth", type=int, default=2)
options.add_argument("--width", type=int, default=256)
options.add_argument("--heads", type=int, default=8)
options.add_argument("--context", type=int, default=256)
options.add_argument("--vocabulary", type=int, default=4096)
options.add_argument("--batch", type=int, default=16)
options.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
arguments = options.parse_args()


class Block(nn.Module):
    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.projection = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, t, c = x.shape
        q, k, v = (
            part.view(n, t, self.heads, c // self.heads).transpose(1, 2)
            for part in self.qkv(self.norm1(x)).split(c, dim=2)
        )
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.projection(y.transpose(1, 2).contiguous().view(n, t, c))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))


class GPT(nn.Module):
    def __init__(self, vocabulary: int, context: int, depth: int, width: int, heads: int):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocabulary, bias=False)
        self.head.weight = self.tokens.weight

    def forward(self, tokens: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        x = self.tokens(tokens) + self.positions(torch.arange(tokens.shape[1]))
        for block in self.blocks:
            x = block(x)
        logits = self.head(self.norm(x))
        return F.cross_entropy(logits.view(-1, logits.shape[-1]), labels.view(-1))


torch.manual_seed(0)
torch.set_num_threads(arguments.threads)
model = GPT(arguments.vocabulary, arguments.context, arguments.depth, arguments.width, arguments.heads).train()
for parameter in model.parameters():
    if parameter.dim() == 2:
        nn.init.normal_(parameter, 0, 0.02)
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, weight_decay=0, fused=True)
batch = torch.randint(arguments.vocabulary, (arguments.batch, arguments.context + 1))
inputs, labels = batch[:, :-1].contiguous(), batch[:, 1:].contiguous()


def step() -> float:
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast("cpu", torch.bfloat16, enabled=arguments.dtype == "bfloat16"):
        loss = model(inputs, labels)
    loss.backward()
    optimizer.step()
    return loss.item()


report("gpt-step", step, arguments)
