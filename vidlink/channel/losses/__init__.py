"""Which packets are lost: one model a file, and the table of them."""

from typing import Annotated

from pydantic import Field

from vidlink.channel.losses.bernoulli import Bernoulli, NoLoss
from vidlink.channel.losses.bit_errors import BitErrors
from vidlink.channel.losses.gilbert_elliott import GilbertElliott
from vidlink.channel.losses.recorded import Recorded

Loss = Annotated[NoLoss | Bernoulli | GilbertElliott | Recorded | BitErrors, Field(discriminator="model")]
"""What the table ``loss`` of a channel file may be; its key ``model`` tells which."""
